#include "provider/mock/embeddings.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <openssl/evp.h>

#include <cmath>
#include <cstring>
#include <numeric>

#include "provider/mock/test_client.h"

namespace sluice::mock {
namespace {

using testing::HasSubstr;

float cosine(const std::vector<float>& a, const std::vector<float>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0F);
}

Got embed_by(MockServer& server, std::string body) {
  return ask(server, request("POST", "/v1/embeddings", std::move(body)));
}

TEST(MockEmbeddings, AreUnitVectorsNearForLikeTexts) {
  const auto one = embed("how do I close the window", 256, 1);
  EXPECT_NEAR(cosine(one, one), 1.0F, 1e-4);
  EXPECT_EQ(one, embed("how do I close the window", 256, 1));
  EXPECT_NE(one, embed("how do I close the window", 256, 2));
  const float like = cosine(one, embed("How do I close the door?", 256, 1));
  const float unlike = cosine(one, embed("bread recipe with seeds", 256, 1));
  EXPECT_GT(like, 0.6F);
  EXPECT_LT(unlike, 0.4F);
  EXPECT_NEAR(cosine(embed("", 8, 1), embed("", 8, 1)), 1.0F, 1e-4);
}

TEST(MockEmbeddings, ComeAsFloatsAndAsBase64) {
  MockServer server({.seed = 3});
  Doc floats(embed_by(server, R"({"model":"e","input":["a text","b"],"dimensions":5})").text);
  EXPECT_EQ(floats.text("/object"), "list");
  EXPECT_EQ(floats.size("/data"), 2U);
  EXPECT_EQ(floats.size("/data/0/embedding"), 5U);
  EXPECT_EQ(floats.number("/data/1/index"), 1);
  EXPECT_EQ(floats.number("/usage/prompt_tokens"), 3);

  Doc packed(embed_by(server, R"({"model":"e","input":"a text","dimensions":5,"encoding_format":"base64"})").text);
  const std::string encoded = packed.text("/data/0/embedding");
  ASSERT_EQ(encoded.size(), 28U);
  std::vector<unsigned char> raw(21);
  EVP_DecodeBlock(raw.data(), reinterpret_cast<const unsigned char*>(encoded.data()), 28);
  std::vector<float> vector(5);
  std::memcpy(vector.data(), raw.data(), 20);
  EXPECT_EQ(vector, embed("a text", 5, 3));
}

TEST(MockEmbeddings, TakeTokenNumbers) {
  MockServer server({});
  EXPECT_EQ(Doc(embed_by(server, R"({"model":"e","input":[1,2,3]})").text).size("/data"), 1U);
  Doc two(embed_by(server, R"({"model":"e","input":[[1,2],[3]]})").text);
  EXPECT_EQ(two.size("/data"), 2U);
  EXPECT_EQ(two.size("/data/0/embedding"), 1536U);
}

TEST(MockEmbeddings, RefuseInOpenAisForm) {
  MockServer server({});
  for (const auto& [body, message] : std::vector<std::pair<std::string, std::string>>{
           {R"({"input":"x"})", "model"},
           {R"({"model":"e"})", "'input'"},
           {R"({"model":"e","input":[]})", "'input'"},
           {R"({"model":"e","input":"x","dimensions":0})", "'dimensions'"},
           {R"({"model":"e","input":"x","encoding_format":"hex"})", "'encoding_format'"},
       }) {
    const Got got = embed_by(server, body);
    EXPECT_EQ(got.status, 400);
    EXPECT_THAT(Doc(got.text).text("/error/message"), HasSubstr(message));
  }
}

}  // namespace
}  // namespace sluice::mock
