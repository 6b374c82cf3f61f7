package web

import "net/http"

// privacyView is what the page on privacy tells that is not the same everywhere. Days are 0 where it is for ever.
type privacyView struct {
	HistoryDays, UnlinkedDays int
	// Policy is the address of the policy of whoever runs Tandem.
	Policy string
}

// privacyPage tells what Tandem keeps and what for, with the statement that Google asks for
// (https://developers.google.com/terms/api-services-user-data-policy#additional_requirements_for_specific_api_scopes).
func (s *Site) privacyPage(w http.ResponseWriter, r *http.Request, v visit) error {
	l := localeOf(r)
	p := s.page(l, l.say("privacy"), "")
	if v.user != "" {
		a, err := s.service.Account(r.Context(), v.user)
		if err != nil {
			return err
		}
		p = s.accountPage(l.in(a.Zone), l.say("privacy"), "", a)
	}
	p.Main = privacyView{HistoryDays: int(s.kept.Hours() / 24), UnlinkedDays: int(s.unlinked.Hours() / 24), Policy: s.privacy}
	return s.render(w, http.StatusOK, "privacy.html", p)
}
