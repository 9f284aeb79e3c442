"""An account in words and as JSON."""

from typing import TYPE_CHECKING

from maysend.cli.directory_options import date_text, time_text

if TYPE_CHECKING:
    from maysend.directory.accounts import Account, Holdings


def state_text(each: "Account", now: float) -> str:
    """Whether it can be used, and since when and why not."""
    if each.is_suspended(now):
        since = f"{date_text(each.suspended_at)} by {each.suspended_by}"
        until = f" until {time_text(each.suspended_until)}" if each.suspended_until else ""
        return f"suspended {since}{until}: {each.suspended_reason}"
    return "enabled" if each.enabled else "disabled"


def held_lines(held: "Holdings") -> list[str]:
    """What goes with an account, and what stays."""
    from maysend.directory.grants import spelled

    lines = []
    for alias in held.aliases:
        emptied = " (leads to nobody else, goes too)" if alias in held.emptied else ""
        lines.append(f"  from alias {alias}{emptied}")
    lines.extend(f"  grant for {spelled(address)}" for address in held.grants)
    lines.extend(f"  from the posters of list {address}" for address in held.lists)
    lines.extend(f"  (stays: {login} may send as its address)" for login in held.used_by)
    return lines


def account_as_json(each: "Account") -> dict[str, object]:
    """An account for programs."""
    from maysend.directory.scopes import spelled_scope

    return {
        "login": each.login,
        "name": each.name,
        "enabled": each.enabled,
        "suspended": each.suspended_reason is not None,
        "suspended_reason": each.suspended_reason,
        "suspended_by": each.suspended_by,
        "suspended_at": time_text(each.suspended_at),
        "suspended_until": time_text(each.suspended_until),
        "scope": spelled_scope(each.scope),
        "created": time_text(each.created),
    }
