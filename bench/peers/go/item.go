package main

import (
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// item is what an application would work with. What is published has no address.
type item struct {
	Pk      string   `dynamodbav:"pk"`
	Sk      string   `dynamodbav:"sk"`
	Name    string   `dynamodbav:"name"`
	Email   string   `dynamodbav:"email"`
	Active  bool     `dynamodbav:"active"`
	Score   float64  `dynamodbav:"score"`
	Tags    []string `dynamodbav:"tags"`
	Address *address `dynamodbav:"address,omitempty"`
}

type address struct {
	City string `dynamodbav:"city"`
	Zip  string `dynamodbav:"zip"`
}

var (
	firstNames = [...]string{"Ada", "Grace", "Edsger", "Barbara", "Donald", "Frances", "Niklaus", "Margaret"}
	tags       = [...]string{"gold", "north", "trial", "team", "mobile"}
)

// makeItem makes the same item of the same index, in every language of this bench.
func makeItem(index int) item {
	number := strconv.Itoa(index)
	name := firstNames[index&7]
	return item{
		Pk:     "user-" + number,
		Sk:     "profile",
		Name:   name + " " + number,
		Email:  name + "." + number + "@example.com",
		Active: index&3 != 0,
		Score:  float64(index%1_000) / 8,
		Tags:   []string{tags[index%5], tags[(index+2)%5]},
	}
}

func (item *item) attributes() map[string]types.AttributeValue {
	tags := make([]types.AttributeValue, len(item.Tags))
	for index, tag := range item.Tags {
		tags[index] = &types.AttributeValueMemberS{Value: tag}
	}
	return map[string]types.AttributeValue{
		"pk":     &types.AttributeValueMemberS{Value: item.Pk},
		"sk":     &types.AttributeValueMemberS{Value: item.Sk},
		"name":   &types.AttributeValueMemberS{Value: item.Name},
		"email":  &types.AttributeValueMemberS{Value: item.Email},
		"active": &types.AttributeValueMemberBOOL{Value: item.Active},
		"score":  &types.AttributeValueMemberN{Value: strconv.FormatFloat(item.Score, 'f', -1, 64)},
		"tags":   &types.AttributeValueMemberL{Value: tags},
	}
}

func (item *item) read(attributes map[string]types.AttributeValue) error {
	active, isBool := attributes["active"].(*types.AttributeValueMemberBOOL)
	score, isNumber := attributes["score"].(*types.AttributeValueMemberN)
	tags, isList := attributes["tags"].(*types.AttributeValueMemberL)
	place, isMap := attributes["address"].(*types.AttributeValueMemberM)
	if !isBool || !isNumber || !isList || !isMap {
		return fmt.Errorf("not an item of the null server: %v", attributes)
	}
	var failure error
	text := func(value types.AttributeValue) string {
		member, isText := value.(*types.AttributeValueMemberS)
		if !isText {
			failure = fmt.Errorf("not a text of the null server: %v", value)
			return ""
		}
		return member.Value
	}
	item.Pk = text(attributes["pk"])
	item.Sk = text(attributes["sk"])
	item.Name = text(attributes["name"])
	item.Email = text(attributes["email"])
	item.Active = active.Value
	item.Tags = make([]string, len(tags.Value))
	for index, tag := range tags.Value {
		item.Tags[index] = text(tag)
	}
	item.Address = &address{City: text(place.Value["city"]), Zip: text(place.Value["zip"])}
	if failure != nil {
		return failure
	}
	item.Score, failure = strconv.ParseFloat(score.Value, 64)
	return failure
}
