// Contacts as Creatio has them, as far as the client is concerned.
@path: '/odata'
service Sample {
  @cds.query.limit: { default: 20, max: 20 }
  entity Contact {
    key Id         : UUID;
        Name       : String(250);
        Notes      : LargeString;
        Age        : Integer;
        Active     : Boolean;
        ModifiedOn : Timestamp;
        Account    : Association to Account;
        Numbers    : Association to many Number on Numbers.Contact = $self;
  }
  entity Account {
    key Id   : UUID;
        Name : String(250);
  }
  entity Number {
    key Id      : UUID;
        Text    : String(250);
        Contact : Association to Contact;
  }
}
