package headrace.peer;

import java.util.List;
import java.util.Map;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** What an application would work with. */
record ScannedItem(
        String pk,
        String sk,
        String name,
        String email,
        boolean active,
        double score,
        List<String> tags,
        Address address) {
    record Address(String city, String zip) {}

    static ScannedItem of(Map<String, AttributeValue> attributes) {
        Map<String, AttributeValue> address = attributes.get("address").m();
        return new ScannedItem(
                attributes.get("pk").s(),
                attributes.get("sk").s(),
                attributes.get("name").s(),
                attributes.get("email").s(),
                attributes.get("active").bool(),
                Double.parseDouble(attributes.get("score").n()),
                attributes.get("tags").l().stream().map(AttributeValue::s).toList(),
                new Address(address.get("city").s(), address.get("zip").s()));
    }
}
