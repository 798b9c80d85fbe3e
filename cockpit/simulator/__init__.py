"""An embedded world served over real HTTP: rehearsal stage and test double in one."""
