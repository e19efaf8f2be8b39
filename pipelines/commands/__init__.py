"""The commands of ``lsoalink``, a module a theme; ``pipelines/cli.py`` puts them together.

Belongs here: options, help and examples of each command. Each imports what it needs when it is
called, so that ``--help`` answers at once. Does not belong here: work; that is in the rooms and in
the modules beside this package.
"""
