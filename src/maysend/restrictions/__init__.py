"""restrictions"""
