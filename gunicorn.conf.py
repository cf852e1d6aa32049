"""How gunicorn serves the web process, in development and in production.

Threads rather than another server, because gunicorn hands the raw request target (`RAW_URI`) to the application, and
request signatures are made over exactly that.
"""

import os

bind = f"{os.environ.get('WEB_HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 60
graceful_timeout = 20
keepalive = 5

# The application writes one line a request itself, with its ids and without the query: queries carry sign-in tokens,
# OAuth codes and e-mail addresses.
accesslog = None
errorlog = "-"

# The origin that signatures are checked against is a setting, so no
# forwarded header is ever believed, not even from this machine.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers = {}

# The control socket would be a second door, in a folder shared by every checkout of the same person.
control_socket_disable = True
