"""maysend answers one question: may this login send as this sender, to this recipient, and why?"""

__version__ = "0.1.0"
