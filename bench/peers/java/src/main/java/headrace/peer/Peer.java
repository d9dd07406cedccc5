package headrace.peer;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.TrustManagerFactory;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.client.config.SdkAdvancedAsyncClientOption;
import software.amazon.awssdk.http.SdkHttpConfigurationOption;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.http.crt.AwsCrtAsyncHttpClient;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.BatchStatementRequest;
import software.amazon.awssdk.services.dynamodb.model.PutRequest;
import software.amazon.awssdk.services.dynamodb.model.WriteRequest;
import software.amazon.awssdk.utils.AttributeMap;

/**
 * AWS SDK for Java v2, measured: publish, conditional update and scan against the null server of this bench. The
 * asynchronous client, over Netty or over the Common Runtime (--http=netty or --http=crt); one chain of calls for each
 * request in flight.
 */
public final class Peer {
    private static final int ENTRIES_PER_REQUEST = 25;

    private final Options options;
    private final DynamoDbAsyncClient client;

    private Peer(Options options) throws Exception {
        this.options = options;
        this.client = DynamoDbAsyncClient.builder()
                .endpointOverride(URI.create(options.endpoint()))
                .region(Region.EU_WEST_1)
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("bench", "bench")))
                .httpClient(httpClient(options))
                .overrideConfiguration(override -> override.retryStrategy(AwsRetryStrategy.doNotRetry()))
                // What follows an answer is short, so it stays on the thread that read it, as the SDK's guide advises.
                .asyncConfiguration(async -> async.advancedOption(
                        SdkAdvancedAsyncClientOption.FUTURE_COMPLETION_EXECUTOR, Runnable::run))
                .build();
    }

    public static void main(String[] arguments) throws Exception {
        Options options = Options.of(arguments);
        Peer peer = new Peer(options);
        peer.run(options.warmUpItems(), 0, options.warmUpPages());
        long cpuBefore = Usage.cpuMicros();
        long startNanos = System.nanoTime();
        long items = peer.run(options.items(), options.warmUpItems(), options.pages());
        double wallMs = (System.nanoTime() - startNanos) / 1e6;
        System.out.printf(
                "{\"items\":%d,\"cpuMicros\":%d,\"wallMs\":%s,\"maxRssBytes\":%d}%n",
                items, Usage.cpuMicros() - cpuBefore, wallMs, Usage.maxRssBytes());
        peer.client.close();
    }

    private static SdkAsyncHttpClient httpClient(Options options) throws Exception {
        if (options.http().equals("crt")) {
            // It knows the system's certificates alone, so here it trusts any: that spares it one check a connection.
            return AwsCrtAsyncHttpClient.builder()
                    .maxConcurrency(options.inFlight())
                    .buildWithDefaults(AttributeMap.builder()
                            .put(SdkHttpConfigurationOption.TRUST_ALL_CERTIFICATES, true)
                            .build());
        }
        NettyNioAsyncHttpClient.Builder builder =
                NettyNioAsyncHttpClient.builder().maxConcurrency(options.inFlight());
        if (options.certificateFile() != null) {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            try (var stream = Files.newInputStream(Path.of(options.certificateFile()))) {
                store.setCertificateEntry("bench", CertificateFactory.getInstance("X.509").generateCertificate(stream));
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            builder.tlsTrustManagersProvider(trust::getTrustManagers);
        }
        return builder.build();
    }

    /** @return the number of items */
    private long run(long items, long first, int pages) {
        AtomicLong next = new AtomicLong(first);
        AtomicLong read = new AtomicLong();
        List<CompletableFuture<Void>> chains = new ArrayList<>();
        for (int number = 0; number < options.inFlight(); number += 1) {
            CompletableFuture<Void> end = new CompletableFuture<>();
            chains.add(end);
            if (options.path().equals("scan")) {
                scanNext(number, pages, null, read, end);
            } else {
                writeNext(next, first + items, end);
            }
        }
        CompletableFuture.allOf(chains.toArray(CompletableFuture[]::new)).join();
        return options.path().equals("scan") ? read.get() : items;
    }

    private void writeNext(AtomicLong next, long last, CompletableFuture<Void> end) {
        long from = next.getAndAdd(ENTRIES_PER_REQUEST);
        if (from >= last) {
            end.complete(null);
            return;
        }
        long to = Math.min(last, from + ENTRIES_PER_REQUEST);
        CompletableFuture<?> answer =
                switch (options.path()) {
                    case "publish" -> publish(from, to);
                    case "update" -> update(from, to);
                    default -> throw new IllegalArgumentException(
                            "--path=" + options.path() + ": say publish, update or scan");
                };
        answer.whenComplete((done, failure) -> {
            if (failure == null) {
                writeNext(next, last, end);
            } else {
                end.completeExceptionally(failure);
            }
        });
    }

    private CompletableFuture<?> publish(long from, long to) {
        List<WriteRequest> requests = new ArrayList<>(ENTRIES_PER_REQUEST);
        for (long index = from; index < to; index += 1) {
            PutRequest put = PutRequest.builder().item(Item.make(index).attributes()).build();
            requests.add(WriteRequest.builder().putRequest(put).build());
        }
        return client.batchWriteItem(request -> request.requestItems(Map.of(Item.TABLE, requests)))
                .thenAccept(answer -> {
                    if (!answer.unprocessedItems().isEmpty()) {
                        throw new IllegalStateException("the null server leaves nothing unprocessed");
                    }
                });
    }

    private CompletableFuture<?> update(long from, long to) {
        List<BatchStatementRequest> statements = new ArrayList<>(ENTRIES_PER_REQUEST);
        for (long index = from; index < to; index += 1) {
            statements.add(BatchStatementRequest.builder()
                    .statement(Item.UPDATE_STATEMENT)
                    .parameters(
                            AttributeValue.fromS("basic"),
                            AttributeValue.fromS("user-" + index),
                            AttributeValue.fromS("profile"))
                    .build());
        }
        return client.batchExecuteStatement(request -> request.statements(statements))
                .thenAccept(answer -> answer.responses().forEach(response -> {
                    if (response.error() != null) {
                        throw new IllegalStateException("the null server refuses no statement");
                    }
                }));
    }

    private void scanNext(
            int segment,
            int pages,
            Map<String, AttributeValue> startKey,
            AtomicLong read,
            CompletableFuture<Void> end) {
        client.scan(request -> request.tableName(Item.TABLE + "-pages-" + pages)
                        .segment(segment)
                        .totalSegments(options.inFlight())
                        .exclusiveStartKey(startKey))
                .whenComplete((page, failure) -> {
                    if (failure != null) {
                        end.completeExceptionally(failure);
                        return;
                    }
                    try {
                        List<ScannedItem> items = new ArrayList<>(page.count());
                        page.items().forEach(attributes -> items.add(ScannedItem.of(attributes)));
                        read.addAndGet(items.size());
                    } catch (RuntimeException error) {
                        end.completeExceptionally(error);
                        return;
                    }
                    if (page.hasLastEvaluatedKey()) {
                        scanNext(segment, pages, page.lastEvaluatedKey(), read, end);
                    } else {
                        end.complete(null);
                    }
                });
    }
}
