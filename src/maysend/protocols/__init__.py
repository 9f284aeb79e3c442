"""Sans-I/O codecs: bytes in, events out; replies in, bytes out. No sockets, no clock.

One protocol a folder or file. A codec never raises for what a peer sends: what is wrong on the
wire is an event (or, for a peer that we called, a `ProtocolError`), and what it holds in memory
is bounded.
"""
