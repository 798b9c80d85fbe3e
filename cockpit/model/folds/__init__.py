"""How each kind of event changes the state; `cockpit.model.reduce` puts them together."""
