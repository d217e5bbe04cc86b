"""The local page: a log is pasted, the page comes back. Nothing is kept between two requests.

``work`` does what a request asks for, in worker processes of ``pool``; ``app`` is the only part that knows HTTP.
"""
