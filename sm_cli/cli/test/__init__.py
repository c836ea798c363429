"""`sm test`: the test cases of workflows, in memory and in virtual time."""
