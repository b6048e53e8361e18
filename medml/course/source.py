"""Show the source of a helper in place, so that no helper is a black box."""

import inspect


def show_source(helper):
    """Return the source of a function or class without its docstring, for display.

    >>> show_source(show_source).data.splitlines()[1]
    'def show_source(helper):'
    """
    from IPython.display import Markdown

    source = inspect.getsource(helper)
    if helper.__doc__:
        start = source.index('"""')
        end = source.index('"""', start + 3) + 3
        source = source[: source.rindex("\n", 0, start)] + source[end:]
    return Markdown(f"```python\n{source.rstrip()}\n```")
