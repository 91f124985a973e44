import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Receives Mave's webhooks with the standard library of Java 11 or newer.
 *
 * Start it with your webhook's secret:  WEBHOOK_SECRET=whsec_... java Receiver.java
 */
public class Receiver {
    private static final long TOLERANCE = 300; // seconds
    private static final int BODY_MAX = 1 << 20; // bytes

    /** Verifies the Mave-Signature header, t=<time>, v1=<hex>. During a secret rotation it has a second v1. */
    static boolean isFromMave(byte[] body, String header, String secret, long now) throws GeneralSecurityException {
        List<String> times = new ArrayList<>();
        List<String> signatures = new ArrayList<>();
        for (String part : header.split(",")) {
            String[] pair = part.trim().split("=", 2);
            if (pair.length == 2 && pair[0].equals("t")) times.add(pair[1]);
            if (pair.length == 2 && pair[0].equals("v1")) signatures.add(pair[1].toLowerCase());
        }
        if (times.size() != 1 || !times.get(0).matches("[0-9]{1,11}")) return false;
        Mac mac = Mac.getInstance("HmacSHA256");
        String key = times.get(0) + "." + secret;
        mac.init(new SecretKeySpec(key.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        StringBuilder hex = new StringBuilder();
        for (byte b : mac.doFinal(body)) hex.append(String.format("%02x", b));
        byte[] expected = hex.toString().getBytes(StandardCharsets.US_ASCII);
        boolean found = false;
        for (String signature : signatures) {
            found |= MessageDigest.isEqual(expected, signature.getBytes(StandardCharsets.UTF_8)); // in constant time
        }
        return found && Math.abs(now - Long.parseLong(times.get(0))) <= TOLERANCE;
    }

    private static void receive(HttpExchange exchange, String secret) throws IOException {
        // Verify the raw body before parsing it.
        byte[] body = exchange.getRequestBody().readNBytes(BODY_MAX + 1);
        String header = String.join(", ", exchange.getRequestHeaders().getOrDefault("Mave-Signature", List.of()));
        int status = 400;
        try {
            if (body.length <= BODY_MAX && isFromMave(body, header, secret, Instant.now().getEpochSecond())) {
                // Parse it with the JSON library of your choice. An event can arrive more than once: to detect
                // duplicates, store its id.
                System.out.println(new String(body, StandardCharsets.UTF_8));
                status = 204;
            }
        } catch (GeneralSecurityException error) {
            status = 500;
        }
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }

    public static void main(String[] arguments) throws IOException {
        String secret = System.getenv("WEBHOOK_SECRET");
        if (secret == null || secret.isEmpty()) throw new IllegalStateException("WEBHOOK_SECRET is not set");
        int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "4000"));
        HttpServer server = HttpServer.create(new InetSocketAddress(port), 0);
        server.createContext("/webhooks", exchange -> receive(exchange, secret));
        server.setExecutor(Executors.newFixedThreadPool(16));
        server.start();
    }
}
