"""Read, run and write notebooks so that a change in git is a change of content."""

import hashlib
import json
import os
import re
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from medml import MedmlError
from medml.course.usage import Usage, usage_of
from medml.files import write_text

OFFLINE = Path(__file__).parent / "offline"
NAME = "[0-9][0-9]_*.ipynb"
RUN_TIME = re.compile(r"^- \*\*Measured run\*\*:.*$", re.MULTILINE)


def notebooks(root):
    """Return the paths of the author edition's notebooks, in order."""
    return sorted(Path(root, "notebooks").glob(NAME))


def read(path):
    """Read a notebook, or raise MedmlError if the file holds none."""
    try:
        return nbformat.read(path, as_version=4)
    except (ValueError, AttributeError, OSError) as error:
        raise MedmlError(f"cannot read a notebook from {path}: {error}") from None


def write(notebook, path):
    """Write a notebook in one step: a reader never sees half a file."""
    write_text(path, nbformat.writes(notebook) + "\n")


def code_cells(notebook):
    """Return the code cells of a notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell):
    """Return the tags of a cell."""
    return cell.metadata.get("tags", [])


def code_hash(notebook):
    """Return the SHA-256 of the code cells' sources, as stored in the metadata after a run."""
    sources = json.dumps([cell.source for cell in code_cells(notebook)])
    return hashlib.sha256(sources.encode()).hexdigest()


def kernel_environment(project, *, strict):
    """Return the environment of a kernel: the medml of a project, no network, no progress bars.

    With ``strict``, an exercise that does not pass is a failure. The data are those of this
    checkout, so that a copy of the project needs none of its own.
    """
    paths = [str(OFFLINE), str(project), os.environ.get("PYTHONPATH", "")]
    path = os.pathsep.join(filter(None, paths))
    data = os.environ.get("MEDML_DATA", str(Path(__file__).parents[2] / ".data"))
    switches = {
        "MEDML_DATA": data,
        "MEDML_STRICT": str(int(strict)),
        "TQDM_DISABLE": "1",
        "PYTHONPATH": path,
    }
    return {**os.environ, **switches}


def execute(notebook, folder, *, strict, timeout=600):
    """Run a notebook from top to bottom in its folder of a project; return its `Usage`.

    Raises
    ------
    MedmlError
        If a cell raises; the message ends with the cell's own error.
    """
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=timeout,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=40"],  # no advice on transport encryption
        resources={"metadata": {"path": str(folder)}},
    )
    environment = kernel_environment(folder.parent, strict=strict)
    with client.setup_kernel(env=environment):
        for index, cell in enumerate(notebook.cells):
            try:
                client.execute_cell(cell, index)
            except CellExecutionError as error:
                raise MedmlError(f"cell {index + 1} of the notebook failed:\n{error}") from None
        return usage_of(client.km.provisioner.pid)


def run(path):
    """Run a notebook of the author edition and store its outputs, hash and run time.

    The file is replaced only after every cell has run. What varies from run to run (time stamps,
    the exact language version) is left out.
    """
    notebook = read(path)
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    used = record_usage(path, execute(notebook, path.parent, strict=True))
    card = notebook.cells[0]
    line = f"- **Measured run**: {used.cpu_s:.0f} CPU-seconds, {used.memory_mb:.0f} MB of memory"
    card.source = RUN_TIME.sub(line, card.source)
    for cell in code_cells(notebook):
        cell.metadata.pop("execution", None)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "medml": {**notebook.metadata.get("medml", {}), "code_hash": code_hash(notebook)},
    }
    write(notebook, path)
    return used


def record_usage(path, used):
    """Store what a notebook used in `run_times.json` beside it, and return what is stored.

    A figure within a quarter (or 2 s, 50 MB) of the stored one leaves it as it is: noise is no
    news.
    """
    file = path.parent / "run_times.json"
    times = json.loads(file.read_text("utf-8")) if file.exists() else {}
    if path.stem in times:
        stored = Usage(**times[path.stem])
        changes = zip(used, stored, (2, 50), strict=True)
        if all(abs(new - old) <= max(0.25 * old, noise) for new, old, noise in changes):
            return stored
    used = Usage(round(used.cpu_s, 1), round(used.memory_mb))
    times[path.stem] = used._asdict()
    write_text(file, json.dumps(times, indent=2, sort_keys=True) + "\n")
    return used
