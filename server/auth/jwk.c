/* See jwk.h. */

#include "auth/jwk.h"

#include "base/ident.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

enum { RSA_BITS_MIN = 2048, RSA_BYTES_MAX = 1024, EC_BYTES = 32 };

static bool text_is(const json_t *object, const char *member, const char *expected) {
    const char *text = json_string_value(json_object_get(object, member));
    return text && strcmp(text, expected) == 0;
}

/* Absent is fine, another value is not. */
static bool allows(const json_t *jwk, const char *member, const char *value) {
    return !json_object_get(jwk, member) || text_is(jwk, member, value);
}

static bool fits(const json_t *jwk, const char *kid, const char *alg) {
    const char *kty = strcmp(alg, "RS256") == 0 ? "RSA" : "EC";
    return text_is(jwk, "kty", kty) && allows(jwk, "use", "sig") && allows(jwk, "alg", alg) &&
           (!kid || text_is(jwk, "kid", kid));
}

const json_t *jwk_find(const json_t *set, const char *kid, const char *alg) {
    const json_t *keys = json_object_get(set, "keys"), *found = NULL;
    int count = 0;
    if (strcmp(alg, "RS256") != 0 && strcmp(alg, "ES256") != 0)
        return NULL;
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *jwk = json_array_get(keys, i);
        if (fits(jwk, kid, alg)) {
            found = jwk;
            count++;
        }
    }
    return count == 1 ? found : NULL;
}

static size_t decode(const json_t *jwk, const char *member, unsigned char *ret, size_t cap) {
    const char *text = json_string_value(json_object_get(jwk, member));
    size_t size = 0;
    return text && base64url_decode(text, strlen(text), ret, cap, &size) ? size : 0;
}

static EVP_PKEY *key_from(const char *type, OSSL_PARAM_BLD *build) {
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!params || !context || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *rsa_key(const json_t *jwk) {
    unsigned char n[RSA_BYTES_MAX], e[8];
    size_t n_size = decode(jwk, "n", n, sizeof(n)), e_size = decode(jwk, "e", e, sizeof(e));
    if (!n_size || !e_size)
        return NULL;
    BIGNUM *modulus = BN_bin2bn(n, (int)n_size, NULL), *exponent = BN_bin2bn(e, (int)e_size, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (modulus && exponent && build && BN_num_bits(modulus) >= RSA_BITS_MIN &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
        key = key_from("RSA", build);
    OSSL_PARAM_BLD_free(build);
    BN_free(modulus);
    BN_free(exponent);
    return key;
}

static EVP_PKEY *ec_key(const json_t *jwk) {
    unsigned char point[1 + 2 * EC_BYTES] = {4}; /* uncompressed */
    if (!text_is(jwk, "crv", "P-256") || decode(jwk, "x", point + 1, EC_BYTES) != EC_BYTES ||
        decode(jwk, "y", point + 1 + EC_BYTES, EC_BYTES) != EC_BYTES)
        return NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (build &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) == 1)
        key = key_from("EC", build);
    OSSL_PARAM_BLD_free(build);
    return key;
}

static bool verify(EVP_PKEY *key, const void *text, size_t size, const unsigned char *signature,
                   size_t signature_size) {
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool good = digest && EVP_DigestVerifyInit(digest, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestVerify(digest, signature, signature_size, text, size) == 1;
    EVP_MD_CTX_free(digest);
    return good;
}

/* JOSE writes r and s side by side, OpenSSL reads them as DER. */
static bool verify_es256(EVP_PKEY *key, const void *text, size_t size,
                         const unsigned char *signature, size_t signature_size) {
    if (signature_size != 2 * EC_BYTES)
        return false;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, EC_BYTES, NULL);
    BIGNUM *s = BN_bin2bn(signature + EC_BYTES, EC_BYTES, NULL);
    unsigned char *der = NULL;
    bool good = false;
    if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
        int der_size = i2d_ECDSA_SIG(pair, &der);
        good = der_size > 0 && verify(key, text, size, der, (size_t)der_size);
    }
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
    return good;
}

bool jwk_verify(const json_t *jwk, const char *alg, const void *text, size_t size,
                const unsigned char *signature, size_t signature_size) {
    bool is_rsa = strcmp(alg, "RS256") == 0;
    if (!is_rsa && strcmp(alg, "ES256") != 0)
        return false;
    EVP_PKEY *key = is_rsa ? rsa_key(jwk) : ec_key(jwk);
    bool good = key && (is_rsa ? verify(key, text, size, signature, signature_size)
                               : verify_es256(key, text, size, signature, signature_size));
    EVP_PKEY_free(key);
    return good;
}
