"""``imageflow admin``: users, devices, enrolment codes and API keys, on the server's data folder directly."""

from __future__ import annotations

import typer

from app.command_line.administration.alerts import alerts_app
from app.command_line.administration.codes import codes_app
from app.command_line.administration.devices import devices_app
from app.command_line.administration.keys import keys_app
from app.command_line.administration.offers import offers_app
from app.command_line.administration.statistics import statistics_app
from app.command_line.administration.users import users_app

_EXAMPLES = """\
Users, devices, enrolment codes and API keys of a server.

\b
Examples:
  imageflow admin users add yamada --role inspector
  imageflow admin users add admin --role admin --password-stdin < password.txt
  imageflow admin codes create "Line 1, station 3"
  imageflow admin keys create mes --role integrator --json
"""

admin_app = typer.Typer(help=_EXAMPLES, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
_GROUPS = {
    "alerts": alerts_app,
    "users": users_app,
    "devices": devices_app,
    "codes": codes_app,
    "keys": keys_app,
    "offers": offers_app,
    "statistics": statistics_app,
}
for _name, _group in _GROUPS.items():
    admin_app.add_typer(_group, name=_name)
