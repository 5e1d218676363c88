"""What users hold: StateMachine, Execution, History and their rich displays."""
