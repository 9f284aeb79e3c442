"""Exit statuses: plain ones for an answer, sysexits(3) for what kept us from answering."""

PERMITTED = FOUND = 0
REJECTED = NOT_FOUND = 1
EX_USAGE = 64
EX_DATAERR = 65
EX_NOINPUT = 66
TEMPORARY = EX_TEMPFAIL = 75
EX_CONFIG = 78
