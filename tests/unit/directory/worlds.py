"""Small directories in memory for the tests of ownership."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from maysend.directory.names import AliasTarget, Holder


@dataclass
class World:
    """A `Reader` over dictionaries."""

    active: dict[str, bool] = field(default_factory=dict)
    rows: dict[str, list[AliasTarget]] = field(default_factory=dict)
    granted: list[Holder] = field(default_factory=list)
    on_behalf: list[Holder] = field(default_factory=list)
    patterns: list[tuple[str, AliasTarget]] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def account(self, login: str, *, may_act: bool = True) -> None:
        self.active[login] = may_act

    def alias(self, address: str, *targets: str, send: bool = True, receive: bool = True) -> None:
        rows = self.rows.setdefault(address, [])
        rows.extend(AliasTarget(target, send, receive) for target in targets)

    def grant(self, login: str, address: str, expires: int | None = None) -> None:
        self.granted.append(Holder(login, address, expires))

    def accounts(self, logins: Collection[str], /) -> Mapping[str, bool]:
        return {login: self.active[login] for login in logins if login in self.active}

    def aliases(self, addresses: Collection[str], /) -> Mapping[str, Sequence[AliasTarget]]:
        return {address: self.rows[address] for address in addresses if address in self.rows}

    def holders(self, addresses: Collection[str], /, kind: str = "as") -> Sequence[Holder]:
        granted = self.granted if kind == "as" else self.on_behalf
        return [h for h in granted if h.address in addresses and self.active.get(h.login, False)]

    def matching(self, address: str, /) -> Sequence[AliasTarget]:
        first = next((p for p, _ in self.patterns if re.search(p, address)), None)
        return [target for pattern, target in self.patterns if pattern == first]

    def domain_kind(self, domain: str, /) -> str:
        mine = any(login.endswith(f"@{domain}") for login in self.active)
        return self.kinds.get(domain, "managed" if mine else "")

    def posters(self, addresses: Collection[str], /) -> Mapping[str, Sequence[str]]:
        return {address: self.lists[address] for address in addresses if address in self.lists}
