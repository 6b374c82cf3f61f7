package activities

// Rows of lists that every Creatio is delivered with, by the ids that its own code names them with (packages Base and CrtBase:
// ActivityConsts).
const (
	typeTask  = "fbe0acdc-cfc0-df11-b00f-001d60e938c6"
	typeEmail = "e2831dec-cfc0-df11-b00f-001d60e938c6"

	categoryMeeting = "42c74c49-58e6-df11-971b-001d60e938c6"
	priorityMedium  = "ab96fa02-7fe6-df11-971b-001d60e938c6"

	statusNotStarted = "384d4b84-58e6-df11-971b-001d60e938c6"
	statusCompleted  = "4bdbb88f-58e6-df11-971b-001d60e938c6"
	statusCanceled   = "201cfba8-58e6-df11-971b-001d60e938c6"

	roleParticipant = "1a8324e8-a6e1-df11-971b-001d60e938c6"
	roleResponsible = "53fc4a92-b0ea-e111-96c4-00165d094c12"

	responseConfirmed = "7098c892-34e3-4a3e-af08-c1a139f63220"
	responseDeclined  = "cc256758-4051-4021-9c51-216e37635c46"
	responseInDoubt   = "50e89724-522d-446e-be91-12548b8c834d"
)
