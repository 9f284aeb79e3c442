"""`maysend serve` as processes: a supervisor that holds the sockets, and workers that serve them.

The supervisor opens every listening socket (or is handed it by systemd), starts the workers, starts
another where one dies, and answers for all of them where metrics are asked for. A worker that dies
takes nothing with it but the connections it had: the sockets, and who waits in them, are the
supervisor's. A new configuration is read by new workers, before the old ones stop.
"""
