"""The load test of ftpweir: run your own plan against it before production does.

It drives real FTP dialogues at a server with limits, once directly and once through ftpweir, and
reports what happened. It measures the limits at the server and never believes the proxy's numbers.
"""
