"""maincf"""
