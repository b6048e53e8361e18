"""How pytest runs the notebooks: offline, with strict checks, patiently and within their budget."""

import os

import pytest
from nbval.plugin import IPyNbCell

from medml.course.notebook import kernel_environment, read
from medml.course.usage import usage_of


def pytest_configure(config):
    if config.option.nbval:
        os.environ.update(kernel_environment(config.rootpath, strict=True))


def pytest_collection_modifyitems(items):
    for item in items:
        if isinstance(item, IPyNbCell):
            item.output_timeout = 60  # nbval's 5 s make slow machines fail (nbval issue 231)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item, nextitem):
    """After the last cell of a notebook, fail if it used more than twice its budget."""
    if not isinstance(item, IPyNbCell) or (nextitem and nextitem.parent is item.parent):
        return
    used = usage_of(item.parent.kernel.km.provisioner.pid)
    budget = read(item.path).metadata.medml.budget
    for name, value in used._asdict().items():
        if value > 2 * budget[name]:
            pytest.fail(f"{item.path.name}: {name} is {value:.0f}, the budget {budget[name]}")
