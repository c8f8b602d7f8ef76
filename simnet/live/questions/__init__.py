"""What is worth asking real hosts, from their snapshot alone.

questions.py   every question: who asks, where to, who must listen
claimed.py     those that a scenario's claims and traffic ask
choose.py      which of them become probes: names, clients' ports, servers, a limit
"""
