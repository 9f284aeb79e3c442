"""main.cf and master.cf as Postfix reads them, and where each value was written."""

from maysend.maincf.errors import MainCfError
from maysend.maincf.host import Host, Interface
from maysend.maincf.parameters import Parameters
from maysend.maincf.place import Place
from maysend.maincf.settings import Setting
from maysend.maincf.traced import TracedText

__all__ = ["Host", "Interface", "MainCfError", "Parameters", "Place", "Setting", "TracedText"]
