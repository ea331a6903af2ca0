"""Commands that fill a file of their own; cli.py gathers them. Arguments in, printed words out."""
