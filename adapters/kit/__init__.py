"""What several adapters need and no backend's words are in.

addresses       in settings: where a backend is, and where it calls us
requests        sent once, within a time limit, and failing without a secret
understanding   reading JSON that may be anything
failures        what goes wrong, and what it means to the link and to the command desk
feed, reports   an open feed: its work, and what waits to be taken
hook            where backends call us
listener, crowd, shuffle   for simulators: their port, their people, and events out of order
"""
