from portal.gateways.payments.payfip_twin.server import main

main()
