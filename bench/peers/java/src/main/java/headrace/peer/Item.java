package headrace.peer;

import java.util.List;
import java.util.Map;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** What an application would hand over. */
record Item(String pk, String sk, String name, String email, boolean active, double score, List<String> tags) {
    static final String TABLE = "bench";
    static final String UPDATE_STATEMENT =
            "UPDATE \"bench\" SET \"tier\"=? WHERE \"pk\"=? AND \"sk\"=? AND \"tier\" IS MISSING";

    private static final String[] FIRST_NAMES = {
        "Ada", "Grace", "Edsger", "Barbara", "Donald", "Frances", "Niklaus", "Margaret"
    };
    private static final String[] TAGS = {"gold", "north", "trial", "team", "mobile"};

    /** The same index always makes the same item, in every language of this bench. */
    static Item make(long index) {
        String name = FIRST_NAMES[(int) (index & 7)];
        return new Item(
                "user-" + index,
                "profile",
                name + " " + index,
                name + "." + index + "@example.com",
                (index & 3) != 0,
                (index % 1_000) / 8.0,
                List.of(TAGS[(int) (index % 5)], TAGS[(int) ((index + 2) % 5)]));
    }

    Map<String, AttributeValue> attributes() {
        return Map.of(
                "pk", AttributeValue.fromS(pk),
                "sk", AttributeValue.fromS(sk),
                "name", AttributeValue.fromS(name),
                "email", AttributeValue.fromS(email),
                "active", AttributeValue.fromBool(active),
                "score", AttributeValue.fromN(Double.toString(score)),
                "tags", AttributeValue.fromL(tags.stream().map(AttributeValue::fromS).toList()));
    }
}
