"""The web: JSON for programs, pages for people, and the rules about who may do what.

`blitz.app.create_app` joins it to the rest. It talks to the manager's five methods and to storage; it never
speaks to an exchange and never touches a database connection itself.
"""
