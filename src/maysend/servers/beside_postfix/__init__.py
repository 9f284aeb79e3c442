"""maysend beside a Postfix: the lines that make it ask, and whether they are in force."""

from maysend.servers.beside_postfix.doors import Door, doors
from maysend.servers.beside_postfix.in_force import InForce, in_force
from maysend.servers.beside_postfix.lines import docker_mailserver_lines, plain_lines

__all__ = ["Door", "InForce", "docker_mailserver_lines", "doors", "in_force", "plain_lines"]
