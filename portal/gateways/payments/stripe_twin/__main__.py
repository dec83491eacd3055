from portal.gateways.payments.stripe_twin.server import main

main()
