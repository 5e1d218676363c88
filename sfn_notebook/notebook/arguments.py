"""Arguments of magics and of the command line: splitting a line into words, and parsers that answer a mistake with one good line.

A magic's line is no shell: JSON may stand in it bare (`--input {"id": 1}`) or in quotes, and a quote inside a word belongs to it
(`order["items"]`). `split` keeps each word as it was written, so that whoever reads it can tell text from data; `unquoted` takes the
quotes off where only text is meant. `Parser` is argparse without printing and exiting: a mistake is a `CommandError` that names the
nearest right word, and `--help` is `HelpRequested`, which carries the text. Knows nothing of IPython.
"""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from sfn_notebook.errors import CommandError

_OPENING = {"{": "}", "[": "]", "(": ")"}


class HelpRequested(Exception):
    """Somebody asked for help; `text` is the answer."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


# --- words ---------------------------------------------------------------------------------------------------------------


def split(line: str) -> list[str]:
    """Split a line at spaces that are neither in quotes nor in brackets; words keep their quotes.

    Raises:
        CommandError: a quote is never closed.

    Example:
        >>> split('run orders --input {"id": "o 1"}')
        ['run', 'orders', '--input', '{"id": "o 1"}']
    """
    words, at = list[str](), 0
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        end = _end_of_word(line, at)
        words.append(line[at:end])
        at = end
    return words


def _end_of_word(line: str, start: int) -> int:
    waiting, at = list[str](), start
    while at < len(line):
        char = line[at]
        if char in "\"'" and (waiting or _starts_text(line, start, at)):
            at = _end_of_quote(line, at)
            continue
        if char.isspace() and not waiting:
            return at
        if char in _OPENING:
            waiting.append(_OPENING[char])
        elif waiting and char == waiting[-1]:
            waiting.pop()
        at += 1
    return at


def _starts_text(line: str, start: int, at: int) -> bool:
    """Say whether a quote opens text: at the start of a word or after `=`, but not the apostrophe in `it's`."""
    return at == start or line[at - 1] == "="


def _end_of_quote(line: str, start: int) -> int:
    quote, at = line[start], start + 1
    while at < len(line):
        if line[at] == "\\" and quote == '"':
            at += 2
            continue
        if line[at] == quote:
            return at + 1
        at += 1
    raise CommandError(f"the quote {quote} at column {start + 1} is never closed, in {line.strip()[:100]!r}")


def is_quoted(word: str) -> bool:
    """Say whether a word stands in quotes as a whole."""
    return len(word) >= 2 and word[0] == word[-1] and word[0] in "\"'"


def unquoted(word: str) -> str:
    r"""Take the quotes off a word; in double quotes `\"` stands for a quote and `\\` for a backslash."""
    if not is_quoted(word):
        return word
    inner = word[1:-1]
    return re.sub(r'\\(["\\])', r"\1", inner) if word[0] == '"' else inner


# --- suggestions ---------------------------------------------------------------------------------------------------------


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Give the known word that is most like this one, None where none is."""
    by_folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), list(by_folded), n=1, cutoff=0.55)
    return by_folded[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str], prefix: str = "") -> str:
    """Give " (did you mean …?)", or nothing where no known word is like this one."""
    close = nearest(word, known)
    return f" (did you mean {prefix}{close}?)" if close else ""


# --- parsers -------------------------------------------------------------------------------------------------------------


class _Help(argparse.Action):
    def __init__(self, option_strings: Sequence[str], **more: Any) -> None:
        super().__init__(option_strings, dest=argparse.SUPPRESS, nargs=0, help=more.get("help"))

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        raise HelpRequested(parser.format_help().rstrip())


class Parser(argparse.ArgumentParser):
    """An argument parser that neither prints nor exits.

    With `words` the arguments come as `split` gives them, and lose their quotes unless their type is `as_written`.
    """

    def __init__(self, prog: str, description: str, *, epilog: str | None = None, words: bool = True) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            add_help=False,
            allow_abbrev=False,
            formatter_class=_Formatter,
        )
        if words:
            self.register("type", None, unquoted)
        self.add_argument("-h", "--help", action=_Help, help="show this help")

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Read arguments.

        Raises:
            CommandError: they make no sense; the message names the nearest right option.
            HelpRequested: they ask for help.
        """
        found, unknown = self.parse_known_args(list(arguments))
        if unknown:
            self.error(self._unknown(next((word for word in unknown if word.startswith("-")), unknown[0])))
        return found

    def options(self) -> list[str]:
        """List the long options, in alphabetical order."""
        return sorted(option for option in self._option_string_actions if option.startswith("--"))

    def expected(self, before: Sequence[str], word: str) -> argparse.Action | None:
        """Give the argument that `word`, after the words `before`, is for; None where nothing more is taken."""
        if before and (option := self._option_string_actions.get(before[-1])) is not None and option.nargs != 0:
            return option
        if word.startswith("-"):
            return None
        taken, skip = 0, False
        for given in before:
            option = self._option_string_actions.get(given)
            taken += not skip and not given.startswith("-")
            skip = option is not None and option.nargs != 0
        named = self._named()
        return named[taken] if taken < len(named) else None

    def _unknown(self, word: str) -> str:
        options = self.options()
        name = word.partition("=")[0]
        if name.startswith("-") and not name[1:2].isdigit():
            return f"there is no option {name}{did_you_mean(name, options)}; the options are {', '.join(options)}"
        takes = " ".join(str(action.metavar or action.dest) for action in self._named())
        return f"{word[:80]!r} is one argument too many{f' after {takes}' if takes else ''}; the options are {', '.join(options)}"

    def _named(self) -> list[argparse.Action]:
        return [action for action in self._actions if not action.option_strings]

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments."""
        text = re.sub(r"^argument ", "", message)
        text = text.replace("the following arguments are required:", "missing:")
        raise CommandError(f"{self.prog}: {text}; see {self.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            name = "/".join(action.option_strings) or action.dest
            self.error(f"{name} is one of {', '.join(known)}, but found {value!r}{did_you_mean(str(value), known)}")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help that does not depend on the width of whatever terminal is there."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=100)


def as_written(word: str) -> str:
    """Mark an argument whose quotes matter: data."""
    return word


def add_outside_arguments(parser: Parser) -> None:
    """Add the options on what lies outside a run: mocked answers, buckets, where handlers run."""
    parser.add_argument(
        "--mock", metavar="FILE", help="answer tasks from a mock configuration file of Step Functions Local"
    )
    parser.add_argument(
        "--test-case", metavar="NAME", help="the test case of that file; not needed where it has only one"
    )
    parser.add_argument(
        "--s3", metavar="BUCKET=FOLDER", action="append", help="a bucket that a Distributed Map reads or writes"
    )
    parser.add_argument("--executor", choices=("threads", "processes"), help="run handlers side by side")


def add_check_arguments(parser: Parser) -> None:
    """Add the options of a check: how strict, as what kind of workflow, and whether AWS is asked too."""
    parser.add_argument("--strict", action="store_true", help="count warnings and open placeholders as errors")
    parser.add_argument(
        "--type",
        choices=("STANDARD", "EXPRESS"),
        type=str.upper,
        help="kind of workflow; what a template says, else STANDARD by default",
    )
    parser.add_argument("--aws", action="store_true", help="let AWS validate it too (needs credentials)")
    add_access_arguments(parser)


def add_access_arguments(parser: Parser) -> None:
    """Add the options on how to reach AWS."""
    parser.add_argument("--profile", metavar="P", help="a profile of the AWS configuration")
    parser.add_argument("--region", metavar="R", help="the region; that of the ARN or the configuration by default")
    parser.add_argument("--endpoint-url", metavar="URL", help="another endpoint than AWS, such as an emulator")


def access_of(given: argparse.Namespace) -> dict[str, str | None]:
    """Give what was said of how to reach AWS."""
    return {"profile": given.profile, "region": given.region, "endpoint_url": given.endpoint_url}
