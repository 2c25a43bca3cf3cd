# Crypt::JWT, from Debian: see ways.py.
use strict;
use warnings;
use Crypt::JWT qw(decode_jwt encode_jwt);
use JSON::PP ();

my ($way, $path) = @ARGV;
open(my $file, '<', $path) or die "$path: $!";
my $key = JSON::PP->new->decode(join '', <$file>);

while (my $line = <STDIN>) {
    chomp $line;
    if ($way eq 'verify') {
        my $payload = eval { decode_jwt(token => $line, key => $key, accepted_alg => 'ES256', decode_payload => 0) };
        print defined $payload ? "$payload\n" : "refused\n";
    } else {
        my $header = JSON::PP->new->decode($line);
        chomp(my $payload = <STDIN>);
        print encode_jwt(payload => $payload, key => $key, alg => 'ES256', extra_headers => $header), "\n";
    }
}
