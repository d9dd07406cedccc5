// AWS SDK for Go v2, measured: publish, conditional update and scan against the null server of this bench. One goroutine
// for each request in flight.
//
// With --codec=struct, attribute values are written out by hand for the item's struct; with --codec=marshal, the SDK's
// attributevalue package finds them by reflection.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	table             = "bench"
	entriesPerRequest = 25
	updateStatement   = `UPDATE "bench" SET "tier"=? WHERE "pk"=? AND "sk"=? AND "tier" IS MISSING`
)

var (
	path        = flag.String("path", "", "publish, update or scan")
	codec       = flag.String("codec", "struct", "struct or marshal")
	endpoint    = flag.String("endpoint", "", "URL of the null server")
	certificate = flag.String("ca", "", "PEM file of the certificate to trust")
	inFlight    = flag.Int("in-flight", 16, "requests in flight; segments of a scan")
	items       = flag.Int("items", 100_000, "items that count, of a write")
	warmUpItems = flag.Int("warm-up", 25_000, "items before those")
	pages       = flag.Int("pages", 1, "pages of each segment that count, of a scan")
	warmUpPages = flag.Int("warm-up-pages", 1, "pages before those")
)

type result struct {
	Items       int     `json:"items"`
	CpuMicros   int64   `json:"cpuMicros"`
	WallMs      float64 `json:"wallMs"`
	MaxRssBytes int64   `json:"maxRssBytes"`
}

func main() {
	flag.Parse()
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	client, err := newClient()
	if err != nil {
		return err
	}
	var warmUp, measured func() (int, error)
	switch *path {
	case "publish", "update":
		send := publish
		if *path == "update" {
			send = update
		}
		warmUp = func() (int, error) { return write(ctx, client, send, 0, *warmUpItems) }
		measured = func() (int, error) { return write(ctx, client, send, *warmUpItems, *items) }
	case "scan":
		warmUp = func() (int, error) { return scan(ctx, client, *warmUpPages) }
		measured = func() (int, error) { return scan(ctx, client, *pages) }
	default:
		return fmt.Errorf("--path=%s: say publish, update or scan", *path)
	}

	if _, err := warmUp(); err != nil {
		return err
	}
	cpuBefore := cpuMicros()
	start := time.Now()
	count, err := measured()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result{
		Items:       count,
		WallMs:      float64(time.Since(start).Microseconds()) / 1_000,
		CpuMicros:   cpuMicros() - cpuBefore,
		MaxRssBytes: maxRssBytes(),
	})
}

func newClient() (*dynamodb.Client, error) {
	roots := x509.NewCertPool()
	if *certificate != "" {
		pem, err := os.ReadFile(*certificate)
		if err != nil {
			return nil, err
		}
		roots.AppendCertsFromPEM(pem)
	}
	httpClient := awshttp.NewBuildableClient().WithTransportOptions(func(transport *http.Transport) {
		// Of as many connections only ten would be kept.
		transport.MaxIdleConnsPerHost = *inFlight
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	})
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: endpoint,
		Region:       "eu-west-1",
		Credentials:  credentials.NewStaticCredentialsProvider("bench", "bench", ""),
		HTTPClient:   httpClient,
		Retryer:      aws.NopRetryer{},
	}), nil
}

type sendBatch func(ctx context.Context, client *dynamodb.Client, from, to int) error

// write sends items first to first + count - 1.
func write(ctx context.Context, client *dynamodb.Client, send sendBatch, first, count int) (int, error) {
	var next atomic.Int64
	next.Store(int64(first))
	end := first + count
	err := together(*inFlight, func(int) error {
		for {
			from := int(next.Add(entriesPerRequest)) - entriesPerRequest
			if from >= end {
				return nil
			}
			if err := send(ctx, client, from, min(end, from+entriesPerRequest)); err != nil {
				return err
			}
		}
	})
	return count, err
}

func publish(ctx context.Context, client *dynamodb.Client, from, to int) error {
	requests := make([]types.WriteRequest, 0, to-from)
	for index := from; index < to; index++ {
		attributes, err := attributesOf(makeItem(index))
		if err != nil {
			return err
		}
		requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: attributes}})
	}
	answer, err := client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
		RequestItems: map[string][]types.WriteRequest{table: requests},
	})
	if err != nil {
		return err
	}
	if len(answer.UnprocessedItems) > 0 {
		return fmt.Errorf("the null server leaves nothing unprocessed")
	}
	return nil
}

func attributesOf(item item) (map[string]types.AttributeValue, error) {
	if *codec == "marshal" {
		return attributevalue.MarshalMap(item)
	}
	return item.attributes(), nil
}

func update(ctx context.Context, client *dynamodb.Client, from, to int) error {
	statements := make([]types.BatchStatementRequest, 0, to-from)
	for index := from; index < to; index++ {
		statements = append(statements, types.BatchStatementRequest{
			Statement: aws.String(updateStatement),
			Parameters: []types.AttributeValue{
				&types.AttributeValueMemberS{Value: "basic"},
				&types.AttributeValueMemberS{Value: fmt.Sprintf("user-%d", index)},
				&types.AttributeValueMemberS{Value: "profile"},
			},
		})
	}
	answer, err := client.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{Statements: statements})
	if err != nil {
		return err
	}
	for _, response := range answer.Responses {
		if response.Error != nil {
			return fmt.Errorf("the null server refuses no statement: %s", response.Error.Code)
		}
	}
	return nil
}

// scan reads all pages of all segments at once; gives the number of items.
func scan(ctx context.Context, client *dynamodb.Client, pages int) (int, error) {
	var count atomic.Int64
	err := together(*inFlight, func(segment int) error {
		paginator := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{
			TableName:     aws.String(fmt.Sprintf("%s-pages-%d", table, pages)),
			Segment:       aws.Int32(int32(segment)),
			TotalSegments: aws.Int32(int32(*inFlight)),
		})
		for paginator.HasMorePages() {
			page, err := paginator.NextPage(ctx)
			if err != nil {
				return err
			}
			read, err := itemsOf(page.Items)
			if err != nil {
				return err
			}
			count.Add(int64(len(read)))
		}
		return nil
	})
	return int(count.Load()), err
}

func itemsOf(page []map[string]types.AttributeValue) ([]item, error) {
	if *codec == "marshal" {
		var read []item
		err := attributevalue.UnmarshalListOfMaps(page, &read)
		return read, err
	}
	read := make([]item, len(page))
	for index, attributes := range page {
		if err := read[index].read(attributes); err != nil {
			return nil, err
		}
	}
	return read, nil
}

// together runs so many goroutines and gives the first error.
func together(count int, work func(number int) error) error {
	var group sync.WaitGroup
	failures := make(chan error, count)
	for number := range count {
		group.Go(func() {
			if err := work(number); err != nil {
				failures <- err
			}
		})
	}
	group.Wait()
	close(failures)
	return <-failures
}
