package creatio

import (
	"context"
	"strings"

	"github.com/tandem-sync/tandem/shared/odata"
)

// DefaultTimeZone is the code of the zone that the site gives users without one of their own; empty where it does not say. It is read
// once per Site.
func (s *Site) DefaultTimeZone(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.zone != nil {
		return *s.zone, nil
	}
	answers, err := s.Read(ctx, []odata.Query{
		{Set: "SysSettingsValue", Select: []string{"Id", "GuidValue", "IsDef"}, Filter: odata.Eq("SysSettings/Code", odata.String("DefaultTimeZone"))},
		{Set: "TimeZone", Select: []string{"Id", "Code"}},
	})
	if err != nil {
		return "", err
	}
	codes := map[string]string{}
	for _, r := range answers[1].Rows {
		codes[r.Lookup("Id")] = strings.TrimSpace(r.Text("Code"))
	}
	zone := ""
	for _, r := range answers[0].Rows {
		if code := codes[r.Lookup("GuidValue")]; code != "" && (zone == "" || r.Bool("IsDef")) {
			zone = code
		}
	}
	s.zone = &zone
	return zone, nil
}
