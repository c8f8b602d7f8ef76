"""Traces for people: as text, as pictures, as charts. Every file here can be run by itself to show what it makes."""
