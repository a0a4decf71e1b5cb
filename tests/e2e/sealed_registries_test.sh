#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Bundler, gem and dnf against registries of real packages on an address of this machine.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/sealed_lib.sh"

SEALED_MIRROR=yes
sealed_start
now "the registries"
mkdir "$T/lan"
for name in gems rpms; do
	assert_ok docker buildx build --target "$name" --output "type=local,dest=$T/lan/$name" "$INFRA/packages"
done
lan_start "$T/lan"

project bundler <<END
FROM ruby:3.3-slim
RUN useradd --create-home app
USER app
WORKDIR /home/app
RUN bundle config set --local path vendor
COPY Gemfile .
RUN bundle install
CMD ["bundle", "exec", "ruby", "-rpastel", "-ri18n", "-e", "puts Pastel::VERSION, I18n::VERSION"]
END
printf 'source "%s/gems/"\ngem "i18n", ">= 1.0"\ngem "pastel", "~> 0.8"\n' "$FILES_TLS_URL" >"$T/bundler/Gemfile"

project gem <<END
FROM ruby:3.3-slim
RUN gem install --no-document --clear-sources --source $FILES_URL/gems/ i18n
CMD ["ruby", "-ri18n", "-e", "puts I18n::VERSION"]
END

project dnf <<END
FROM acme/dnf:4
RUN printf '[acme]\\nname=acme\\nbaseurl=%s/rpms\\ngpgcheck=1\\ngpgkey=%s/rpms/key.asc\\n' $FILES_TLS_URL $FILES_TLS_URL \\
      >/etc/yum.repos.d/acme.repo && dnf install -y greeter && dnf clean all && \\
    rm -f /var/lib/dnf/history.sqlite*
CMD ["cat", "/opt/greeter/text", "/opt/greeting/text"]
END

record "${PROJECTS[@]}"
package bundler pkg:gem/i18n@1
package gem pkg:gem/concurrent-ruby@
package dnf pkg:rpm/

disconnect
stop_part files.sh files
replay "${PROJECTS[@]}"
ran bundler "0.8.0"
ran gem "1."
ran dnf "from the rpm greeter"
ran dnf "from the rpm greeting"
