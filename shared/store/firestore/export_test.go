package firestore

// DialOption is on the connection of every client; one that a test hands to Open needs it too.
var DialOption = dialOption
