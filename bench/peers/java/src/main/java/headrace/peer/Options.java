package headrace.peer;

import java.util.HashMap;
import java.util.Map;

/** What the bench says on the command line, each as {@code --name=value}. */
record Options(
        String path,
        String http,
        String endpoint,
        String certificateFile,
        int inFlight,
        long items,
        long warmUpItems,
        int pages,
        int warmUpPages) {
    static Options of(String[] arguments) {
        Map<String, String> values = new HashMap<>();
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            if (!argument.startsWith("--") || equals < 0) {
                throw new IllegalArgumentException(argument + ": say --name=value");
            }
            values.put(argument.substring(2, equals), argument.substring(equals + 1));
        }
        return new Options(
                values.get("path"),
                values.get("http"),
                values.get("endpoint"),
                values.get("ca"),
                Integer.parseInt(values.get("in-flight")),
                Long.parseLong(values.get("items")),
                Long.parseLong(values.get("warm-up")),
                Integer.parseInt(values.get("pages")),
                Integer.parseInt(values.get("warm-up-pages")));
    }
}
