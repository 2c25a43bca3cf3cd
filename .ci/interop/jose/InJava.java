import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPrivateKeySpec;
import java.security.spec.ECPublicKeySpec;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import static java.nio.charset.StandardCharsets.UTF_8;

/** The signatures of the JDK, without a library for JOSE: see ways.py. */
class InJava {
    static final Base64.Decoder DECODER = Base64.getUrlDecoder();
    static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();

    public static void main(String[] args) throws Exception {
        String jwk = Files.readString(Path.of(args[1]));
        AlgorithmParameters curve = AlgorithmParameters.getInstance("EC");
        curve.init(new ECGenParameterSpec("secp256r1"));
        ECParameterSpec p256 = curve.getParameterSpec(ECParameterSpec.class);
        KeyFactory keys = KeyFactory.getInstance("EC");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        PrintStream out = new PrintStream(System.out, true, UTF_8);
        for (String line; (line = lines.readLine()) != null; ) {
            // The form of JWS: two numbers of 32 bytes.
            Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
            if (args[0].equals("verify")) {
                ECPoint point = new ECPoint(number(jwk, "x"), number(jwk, "y"));
                signature.initVerify(keys.generatePublic(new ECPublicKeySpec(point, p256)));
                out.println(verified(line, signature));
            } else {
                signature.initSign(keys.generatePrivate(new ECPrivateKeySpec(number(jwk, "d"), p256)));
                String input = encoded(line) + "." + encoded(lines.readLine());
                signature.update(input.getBytes(UTF_8));
                out.println(input + "." + ENCODER.encodeToString(signature.sign()));
            }
        }
    }

    static String encoded(String text) {
        return ENCODER.encodeToString(text.getBytes(UTF_8));
    }

    static String verified(String token, Signature signature) {
        String[] parts = token.split("\\.");
        try {
            signature.update((parts[0] + "." + parts[1]).getBytes(UTF_8));
            boolean good = signature.verify(DECODER.decode(parts[2]));
            return good ? new String(DECODER.decode(parts[1]), UTF_8) : "refused";
        } catch (GeneralSecurityException | IllegalArgumentException error) {
            return "refused";
        }
    }

    static BigInteger number(String jwk, String name) {
        Matcher member = Pattern.compile("\"" + name + "\"\\s*:\\s*\"([^\"]+)\"").matcher(jwk);
        if (!member.find()) {
            throw new IllegalArgumentException("the key has no " + name);
        }
        return new BigInteger(1, DECODER.decode(member.group(1)));
    }
}
