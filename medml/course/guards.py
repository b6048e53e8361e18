"""Guards: rules that a stored notebook must keep, each returning what it found wrong.

nbval compares texts when it runs a notebook. It compares neither pictures nor metadata, and it
passes a notebook that was never run; the guards look at the stored file itself.
"""

import ast
import re

from medml.course import claims
from medml.course.exercise_guards import (
    has_fair_exercises,
    leaves_answers_unread,
    syntax_tree,
)
from medml.course.notebook import code_cells, code_hash, tags

LABELS = (
    "Questions",
    "Objectives",
    "Prerequisites",
    "Time",
    "Measured run",
    "Data and licence",
    "Not medical advice",
)
SECTIONS = (
    "Warm-up",
    "What the document says",
    "What goes wrong",
    "Exercises",
    "At the bedside",
    "Quiz",
    "Summary",
)
NOT_COMMONMARK = re.compile(r"\{[a-z:]+\}`|^\([\w-]+\)=$|^:::|^```\{", re.MULTILINE)


def is_executed(notebook):
    """Every code cell has run once, in order, and none has been edited since."""
    cells = code_cells(notebook)
    counts = [cell.execution_count for cell in cells]
    if counts != list(range(1, len(cells) + 1)):
        yield f"not fully executed: execution counts are {counts}"
    elif notebook.metadata.get("medml", {}).get("code_hash") != code_hash(notebook):
        yield "a code cell was edited after the stored run"


def has_its_sections(notebook):
    """The header card and the sections stand in the order of the format."""
    card = notebook.cells[0].source
    places = [card.find(f"- **{label}**:") for label in LABELS]
    if -1 in places or places != sorted(places):
        yield f"cell 1: the header card needs, in this order: {', '.join(LABELS)}"
    found = [heading for heading in headings(notebook, 2) if heading in SECTIONS]
    if found != list(SECTIONS):
        yield f"sections are {found}; expected {list(SECTIONS)}"
    for label in ("Predict", "Explain"):
        if sum(f"**{label}.**" in source for _, source in _markdown(notebook)) < 2:
            yield f"needs at least two cells with **{label}.**"


def is_commonmark(notebook):
    """Text cells hold nothing that JupyterLab would show as raw text."""
    for number, source in _markdown(notebook):
        if match := NOT_COMMONMARK.search(source):
            yield f"cell {number}: MyST syntax {match[0]!r}; use it in book/*.md only"


def has_clean_outputs(notebook):
    """Outputs are PNG figures with alt text or plain output; at most two are ignored."""
    ignored = 0
    for number, cell in _code(notebook):
        ignored += "nbval-ignore-output" in tags(cell)
        for tag in {"nbval-skip", "raises-exception", "skip-execution"} & set(tags(cell)):
            yield f"cell {number}: the tag {tag} hides a failure"
        for output in cell.outputs:
            data = output.get("data", {})
            if output.output_type == "error" or output.get("name") == "stderr":
                yield f"cell {number}: an error or warning is stored"
            if "image/svg+xml" in data:
                yield f"cell {number}: a figure must be PNG"
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            if "image/png" in data and len(alt) < 20:
                yield f"cell {number}: a figure needs alt text in mystnb.image.alt"
    if ignored > 2:
        yield f"{ignored} cells ignore their output; two at most"


def stays_in_its_bands(notebook):
    """Each stored measured value lies in the band printed beside it."""
    for number, text in _output_texts(notebook):
        for match in claims.MEASURED.finditer(text):
            if float(match["value"]) not in claims.Band.parse(match["band"]):
                yield f"cell {number}: {match[0]!r} is outside its band"
        if text.count("[measured ") != len(claims.MEASURED.findall(text)):
            yield f"cell {number}: a [measured …] stands without its band"


def keeps_numbers_out_of_prose(notebook):
    """No number in the prose repeats what a claim measures."""
    values = {claim_id: float(match["value"]) for claim_id, match in claims_in(notebook).items()}
    for number, source in _markdown(notebook):
        text = re.sub(r"https?://\S+|10\.\d{4,}/\S+", "", source)
        for match in re.finditer(r"(?<![\w.])(\d[\d,]*(?:\.\d+)?)( ?%)?", text):
            for claim_id, value in values.items():
                if _repeats(match[1].replace(",", "").rstrip("."), bool(match[2]), value):
                    yield f"cell {number}: {match[0]!r} repeats claim {claim_id}; point to it"


def asks_five_questions(notebook):
    """The quiz has five questions, and each option unfolds to right or wrong because."""
    quiz = _section(notebook, "Quiz")
    questions = re.split(r"^### ", quiz, flags=re.MULTILINE)[1:]
    if len(questions) != 5:
        yield f"the quiz has {len(questions)} questions; expected 5"
    for question in questions:
        title = question.split("\n")[0]
        options = re.findall(
            r"<details>\s*<summary>([^<$]+)</summary>\n\n(Right|Wrong)[,:] ", question
        )
        if len(options) < 2 or question.count("<details>") != len(options):
            yield (
                f"quiz {title!r}: each option is <details><summary>…</summary>, a blank line, "
                "then 'Right, because' or 'Wrong, because'; no maths in the summary"
            )
        elif [verdict for _, verdict in options].count("Right") != 1:
            yield f"quiz {title!r}: exactly one option is right"


def lists_its_objectives(notebook):
    """The summary cell lists the claims against the objectives of the header card."""
    objectives = re.findall(r"^  \d\. (.+)$", notebook.cells[0].source, re.MULTILINE)
    for _, cell in _code(notebook):
        for call in ast.walk(syntax_tree(cell.source)):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "summarise":
                if list(ast.literal_eval(call.args[0])) != objectives:
                    yield "summarise() must list the objectives of the header card, word for word"
                return
    yield "no cell calls summarise({objective: [claim ids]})"


def quotes_the_document(notebook, items):
    """Quotes of the document stand word for word in coverage.yml, with their translation.

    Parameters
    ----------
    items : list of dict
        The rows of coverage.yml that belong to this notebook.
    """
    allowed = {f"> 「{i['quote']}」 {i['translation']} (§{i['section']})" for i in items}
    text = _section(notebook, "What the document says")
    quotes = [line for line in text.split("\n") if line.startswith("> 「")]
    if not quotes:
        yield "'What the document says' quotes nothing"
    for quote in quotes:
        if quote not in allowed:
            yield f"quote differs from book/coverage.yml: {quote}"


GUARDS = (
    is_executed,
    has_its_sections,
    is_commonmark,
    has_clean_outputs,
    stays_in_its_bands,
    keeps_numbers_out_of_prose,
    asks_five_questions,
    lists_its_objectives,
    has_fair_exercises,
    leaves_answers_unread,
)


def claims_in(notebook):
    """Return the stored claims of a notebook: id → match with ``band``, ``unit``, ``value``."""
    return {
        match["id"]: match
        for _, text in _output_texts(notebook)
        for match in claims.CLAIM.finditer(text)
    }


def headings(notebook, level):
    """Return the headings of one level, such as 2 for ``## …``."""
    mark = re.compile(rf"^{'#' * level} (.+)$", re.MULTILINE)
    return [heading for _, source in _markdown(notebook) for heading in mark.findall(source)]


def _code(notebook):
    return [(n, cell) for n, cell in enumerate(notebook.cells, 1) if cell.cell_type == "code"]


def _markdown(notebook):
    cells = enumerate(notebook.cells, 1)
    return [(n, cell.source) for n, cell in cells if cell.cell_type == "markdown"]


def _section(notebook, title):
    """Return the text cells' source of one H2 section."""
    text = "\n\n".join(source for _, source in _markdown(notebook))
    match = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return match[1] if match else ""


def _output_texts(notebook):
    """Yield (cell number, text) of each printed text, table and shown value."""
    for number, cell in _code(notebook):
        for output in cell.outputs:
            yield from ((number, text) for text in [output.get("text")] if text)
            for kind, text in output.get("data", {}).items():
                if kind in ("text/plain", "text/html"):
                    yield number, text


def _repeats(text, percent, value):
    """Tell whether a number in prose is a claim's value, plain or in percent, as rounded there."""
    decimals = len(text.partition(".")[2])
    digits = text.replace(".", "").strip("0") if decimals else text
    if len(digits) < (2 if decimals or percent else 3):
        return False  # "two readers", "12 leads", "chance is 0.5": too common to be a claim's value
    candidates = [value, 100 * value] if percent else [value]
    return any(f"{candidate:.{decimals}f}" == text for candidate in candidates)
