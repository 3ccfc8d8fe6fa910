"""What a process asked of its disk, call by call, as ``strace`` wrote it down."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

CALLS = (
    "openat,open,creat,close,read,write,pwrite64,writev,pwritev,pwritev2,lseek,fsync,fdatasync,ftruncate,truncate,"
    "rename,renameat,renameat2,link,linkat,symlink,unlink,unlinkat,mkdir,mkdirat,rmdir,copy_file_range,sendfile,"
    "fallocate,dup,dup2,dup3"
)
"""What ``strace`` has to show of the process."""
OPTIONS = ("-f", "-qq", "-xx", "-s", "100000000", "-e", f"trace={CALLS}", "-e", "raw=read")
"""Of ``strace``: every thread, texts whole and in hexadecimal form."""
_LINE = re.compile(r"^(?P<text>\d+ +\w+\(.*)\) += (?P<result>-?\d+|0x[0-9a-f]+)\b")
_BEGUN = re.compile(r"^(?P<text>(?P<thread>\d+) +\w+\(.*?),? *<unfinished \.\.\.>$")
_ENDED = re.compile(r"^(?P<thread>\d+) +<\.\.\. \w+ resumed>(?P<text>.*)$")
_CALL = re.compile(r"^(?P<thread>\d+) +(?P<name>\w+)\((?P<given>.*)$")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')


@dataclass(frozen=True)
class Call:
    """One call of the system: its thread, its name, its arguments as text, what it returned; None while it goes on.

    While it goes on it may have only the arguments that are known before its end.
    """

    thread: str
    name: str
    given: tuple[str, ...]
    result: int | None

    @property
    def ended(self) -> bool:
        return self.result is not None

    def number(self, place: int) -> int:
        return int(self.given[place], 0)

    def data(self, place: int) -> bytes:
        found = _TEXT.fullmatch(self.given[place])
        assert found is not None, self
        assert found[2] is None, "the trace was cut short"
        return ast.literal_eval(f'b"{found[1]}"')

    def path(self, place: int) -> str:
        return os.fsdecode(self.data(place))


def calls_of(trace: Path) -> Iterator[Call]:
    """Yield each call of a trace as it begins, and once more as it ends unless it failed.

    Calls of several threads overlap. Each takes effect at some moment between its two lines, and the lines alone do not
    say at which: a file number is free for another thread before the ``close`` that frees it has ended.
    """
    begun: dict[str, str] = {}
    with trace.open(encoding="ascii") as lines:
        for line in lines:
            text = line.rstrip("\n")
            if found := _BEGUN.match(text):
                begun[found["thread"]] = text.removesuffix("<unfinished ...>")
                yield _call(found["text"])
                continue
            resumed = _ENDED.match(text)
            if resumed:
                text = f"{begun.pop(resumed['thread'])}{resumed['text']}"
            whole = _LINE.match(text)
            if whole is None:
                continue
            call = _call(whole["text"])
            if not resumed:
                yield call
            if not whole["result"].startswith("-"):
                yield replace(call, result=int(whole["result"], 0))


def _call(text: str) -> Call:
    found = _CALL.match(text)
    assert found is not None, text
    # No argument that is followed here has a comma within: texts are in hexadecimal form.
    return Call(found["thread"], found["name"], tuple(found["given"].strip().split(", ")), None)
