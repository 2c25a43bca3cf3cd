# ruby-jwt, from Debian: see ways.py.
require "json"
require "jwt"

way, path = ARGV
key = JWT::JWK.import(JSON.parse(File.read(path), symbolize_names: true)).keypair
lines = $stdin.each_line(chomp: true).to_a

if way == "verify"
  lines.each do |token|
    payload, = JWT.decode(token, key, true, algorithm: "ES256")
    puts payload.to_json
  rescue JWT::DecodeError
    puts "refused"
  end
else
  lines.each_slice(2) { |header, payload| puts JWT.encode(JSON.parse(payload), key, "ES256", JSON.parse(header)) }
end
