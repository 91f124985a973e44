// Receives Mave's webhooks with Go's standard library.
//
// Start it with your webhook's secret:  WEBHOOK_SECRET=whsec_... go run receiver.go
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	tolerance   = 300     // seconds
	bodyMax    = 1 << 20 // bytes
)

var digits = regexp.MustCompile(`^[0-9]{1,11}$`)

// isFromMave verifies the Mave-Signature header, t=<time>, v1=<hex>. During a secret rotation it has a second v1.
func isFromMave(body []byte, header, secret string, now time.Time) bool {
	var times []string
	var signatures [][]byte
	for _, part := range strings.Split(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			times = append(times, value)
		case "v1":
			if signature, err := hex.DecodeString(value); err == nil {
				signatures = append(signatures, signature)
			}
		}
	}
	if len(times) != 1 || !digits.MatchString(times[0]) {
		return false
	}
	mac := hmac.New(sha256.New, []byte(times[0]+"."+secret))
	mac.Write(body)
	expected := mac.Sum(nil)
	found := false
	for _, signature := range signatures {
		found = hmac.Equal(expected, signature) || found
	}
	signed, _ := strconv.ParseInt(times[0], 10, 64)
	age := now.Unix() - signed
	return found && age <= tolerance && age >= -tolerance
}

func main() {
	secret := os.Getenv("WEBHOOK_SECRET")
	if secret == "" {
		log.Fatal("WEBHOOK_SECRET is not set")
	}
	http.HandleFunc("POST /webhooks", func(w http.ResponseWriter, r *http.Request) {
		// Verify the raw body before parsing it.
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
		header := strings.Join(r.Header.Values("Mave-Signature"), ", ")
		if err != nil || !isFromMave(body, header, secret, time.Now()) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var event struct {
			ID   string
			Type string
			Data struct{ ID string }
		}
		if err := json.Unmarshal(body, &event); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		// An event can arrive more than once. To detect duplicates, store event.ID.
		fmt.Println(event.Type, event.Data.ID)
		w.WriteHeader(http.StatusNoContent)
	})
	port := os.Getenv("PORT")
	if port == "" {
		port = "4000"
	}
	log.Fatal(http.ListenAndServe(":"+port, nil))
}
