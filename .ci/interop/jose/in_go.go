// go-jose, from Debian: see ways.py.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	jose "gopkg.in/square/go-jose.v2"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	text, err := os.ReadFile(os.Args[2])
	check(err)
	var key jose.JSONWebKey
	check(key.UnmarshalJSON(text))
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if os.Args[1] == "verify" {
			fmt.Println(verified(lines.Text(), key))
			continue
		}
		var header map[string]interface{}
		check(json.Unmarshal(lines.Bytes(), &header))
		lines.Scan()
		options := &jose.SignerOptions{}
		for name, value := range header {
			if name != "alg" && name != "kid" {
				options = options.WithHeader(jose.HeaderKey(name), value)
			}
		}
		// The name of the key in the header is that of the JWK.
		key.KeyID, _ = header["kid"].(string)
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, options)
		check(err)
		signed, err := signer.Sign(lines.Bytes())
		check(err)
		token, err := signed.CompactSerialize()
		check(err)
		fmt.Println(token)
	}
	check(lines.Err())
}

func verified(token string, key jose.JSONWebKey) string {
	signed, err := jose.ParseSigned(token)
	if err != nil {
		return "refused"
	}
	payload, err := signed.Verify(key)
	if err != nil {
		return "refused"
	}
	return string(payload)
}
