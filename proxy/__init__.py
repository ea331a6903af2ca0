"""ftpweir: a traffic-shaping FTP proxy."""

__version__ = "0.1.0"
