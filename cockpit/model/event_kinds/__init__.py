"""The kinds of events, by what they tell of; `cockpit.model.events` has them all."""
