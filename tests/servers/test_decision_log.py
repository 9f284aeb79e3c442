"""The decision log's lines: made of several records in a row, each for itself."""

import json
from pathlib import Path
from typing import cast

from maysend.policy import Decision, Request
from maysend.servers.decision_log import DecisionLog, Record
from maysend.servers.log_file import LogFile


def test_a_record_that_cannot_be_written_costs_no_other_its_line(tmp_path: Path) -> None:
    """Nothing is lost by one that is bad."""
    said: list[str] = []
    lost: list[int] = []
    file = LogFile(tmp_path / "log", 0, 0, lambda problem, lines: lost.append(lines))
    file.open()
    log = DecisionLog(lambda line, fields=None: said.append(line), file)
    requests = [
        Request(instance="first"),
        Request(instance=cast(str, object())),
        Request(instance="last"),
    ]
    for request in requests:
        log.note(Record("policy", "", request, Decision(None), "DUNNO", 0.0))
    log.close()
    lines = (tmp_path / "log").read_text().splitlines()
    assert [json.loads(line)["instance"] for line in lines] == ["first", "last"]
    assert len(said) == 1
    assert said[0].startswith("error: a decision can't be written: TypeError: ")
    assert lost == []
