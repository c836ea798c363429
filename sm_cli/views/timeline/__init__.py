"""An execution's history as a picture: lanes of visits that fold, rounds of loops, marks on the graph."""
